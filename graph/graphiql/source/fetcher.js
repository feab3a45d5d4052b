// Sends operations: subscriptions by graphql-transport-ws, the rest by POST, all to one address.
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { getOperationAST } from "graphql";
import { createClient } from "graphql-ws";
import { configuration } from "./configuration.js";

const address = new URL(configuration.endpoint, location.href);
const post = createGraphiQLFetcher({ url: address.href });
const listeners = new Set();
let bearer = configuration.token;

export const token = () => bearer;

/** Calls `listener` with each token that signIn gives; returns the function that ends it. */
export function onSignIn(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export async function fetcher(operation, options = {}) {
  const headers = withToken(options.headers);
  if (operation.operationName === "IntrospectionQuery") {
    // Asked without a token the schema is refused, and the browser would log that as an error of the page.
    return authorization(headers) ? post(operation, { ...options, headers }) : SIGN_IN_FIRST;
  }
  if (isSubscription(operation, options)) return subscribe(operation, headers);
  return noteSignIn(await post(operation, { ...options, headers }));
}

const SIGN_IN_FIRST = {
  errors: [{ message: "The schema is shown to those who are signed in: run the SignIn tab first." }],
};

const isSubscription = ({ operationName }, { documentAST }) =>
  documentAST && getOperationAST(documentAST, operationName)?.operation === "subscription";

const authorization = (headers) => new Headers(headers).get("authorization");

// Whoever wants to ask without the token can say so: {"Authorization": ""}.
function withToken(headers = {}) {
  const own = new Headers(headers).has("authorization");
  return own || !bearer ? headers : { ...headers, Authorization: `Bearer ${bearer}` };
}

function subscribe(operation, headers) {
  const url = new URL(address);
  url.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const connectionParams = authorization(headers) ? { authorization: authorization(headers) } : undefined;
  return createClient({ url: url.href, connectionParams, retryAttempts: 0 }).iterate(operation);
}

async function* noteSignIn(results) {
  for await (const result of results) {
    // A field may have been given another name, so the payload is known by its token.
    const found = Object.values(result?.data ?? {}).find((payload) => payload?.token?.startsWith?.("ses_"));
    if (found) {
      bearer = found.token;
      listeners.forEach((listener) => listener(bearer));
    }
    yield result;
  }
}
