'use strict';

// The key lives in this page's memory only: nothing that is written down can be read by the next person.
const page = ReactDOM.createRoot(document.getElementById('graphiql'));
const key = document.getElementById('key');

const example = `# The next arrivals. Ctrl-Space completes; the
# book on the left holds the documentation.
{
  room_stays(first: 5) {
    edges {
      node {
        reservation_from
        reservation_to
        room_setup {
          name
        }
      }
    }
  }
}
`;

function fetcher(token) {
  return async (parameters, options) => {
    if (!token && !options?.headers) {
      return { errors: [{ message: 'Enter an API key above.' }] };
    }
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
