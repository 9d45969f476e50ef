'use strict';

// The key lives in this page's memory only: nothing that is written down can be read by the next person.
const page = ReactDOM.createRoot(document.getElementById('graphiql'));
const key = document.getElementById('key');

const example = `# Enter an API key above, then press the play button.
# Ctrl-Space completes; the book on the left holds the documentation.
{
  __typename
}
`;

function fetcher(token) {
  return async (parameters, options) => {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json;q=0.9',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...options?.headers,
      },
      body: JSON.stringify(parameters),
      credentials: 'omit',
    });
    return response.json();
  };
}

// A new fetcher makes GraphiQL load the schema again.
function show() {
  page.render(
    React.createElement(GraphiQL, {
      fetcher: fetcher(key.value.trim()),
      defaultQuery: example,
      defaultEditorToolsVisibility: 'variables',
      shouldPersistHeaders: false,
    }),
  );
}

key.addEventListener('change', show);
show();
