'use strict';

// The key lives in this page's memory only: nothing that is written down can be read by the next person.
const page = ReactDOM.createRoot(document.getElementById('graphiql'));
const key = document.getElementById('key');

// Day of the browser's calendar, counted from today.
function day(number) {
  const now = new Date();
  const date = new Date(Date.UTC(now.getFullYear(), now.getMonth(), now.getDate() + number));
  return date.toISOString().slice(0, 10);
}

const example = `# The next arrivals: today's and tomorrow's.
# Ctrl-Space completes; the book on the left holds
# the documentation.
{
  room_stays(
    filter: {
      reservation_from: {ge: "${day(0)}", le: "${day(1)}"}
      reservationStatus: {eq: ACTIVE}
    }
    first: 20
  ) {
    edges {
      node {
        reservation_from
        reservation_to
        room_setup {
          name
        }
        roomAccessKey {
          ... on RoomAccessPin {
            pin
          }
          ... on RoomAccessKeyStorage {
            pin
            compartment
          }
          ... on RoomAccessQR {
            qrData
          }
        }
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`;

// GraphiQL remembers what its tabs hold. An example that was left as it was is today's again.
const remembered = localStorage.getItem('latchkey:example');
if (remembered && remembered !== example) {
  for (const name of ['graphiql:query', 'graphiql:tabState']) {
    const quoted = (text) => (name === 'graphiql:query' ? text : JSON.stringify(text).slice(1, -1));
    const kept = localStorage.getItem(name);
    if (kept) {
      localStorage.setItem(name, kept.replaceAll(quoted(remembered), () => quoted(example)));
    }
  }
}
localStorage.setItem('latchkey:example', example);

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
