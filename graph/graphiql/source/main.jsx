// Starts GraphiQL with what the server wrote into the page.
import "./nonce.js";
import "./workers.js";
import "graphiql/graphiql.css";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./style.css";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { GraphiQL } from "graphiql";
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { configuration } from "./configuration.js";
import { fetcher, onSignIn, token } from "./fetcher.js";
import { storage } from "./storage.js";

const PLUGINS = [HISTORY_PLUGIN, explorerPlugin()];

const headersOf = (bearer) => JSON.stringify({ Authorization: `Bearer ${bearer}` }, null, 2);

/** The Monaco editors take the system's theme once only; this makes them follow it. */
function FollowSystemTheme() {
  const theme = useGraphiQL((state) => state.theme);
  const { setTheme } = useGraphiQLActions();
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => theme ?? setTheme(null);
    system.addEventListener("change", follow);
    return () => system.removeEventListener("change", follow);
  }, [theme, setTheme]);
}

/** Shows a new token where requests take it from, and reads the schema it opens. */
function ShowNewToken() {
  const headerEditor = useGraphiQL((state) => state.headerEditor);
  const { introspect } = useGraphiQLActions();
  useEffect(
    () =>
      onSignIn((bearer) => {
        headerEditor?.setValue(headersOf(bearer));
        introspect();
      }),
    [headerEditor, introspect],
  );
}

function SignInHint() {
  const [signedIn, setSignedIn] = useState(false);
  useEffect(() => onSignIn(() => setSignedIn(true)), []);
  if (signedIn) return "Signed in: the token goes with every request of this page until it is closed.";
  return (
    <>
      <strong>Not signed in.</strong> Fill in your e-mail address and password in the <em>SignIn</em> tab and run it,
      or put <code>{'{"Authorization": "Bearer …"}'}</code> under Headers and fetch the schema again.
    </>
  );
}

createRoot(document.getElementById("graphiql")).render(
  <GraphiQL
    fetcher={fetcher}
    storage={storage}
    plugins={PLUGINS}
    defaultTabs={configuration.tabs}
    defaultHeaders={token() ? headersOf(token()) : undefined}
    shouldPersistHeaders={false}
    schemaDescription
    inputValueDeprecation
  >
    <GraphiQL.Logo>Clientela</GraphiQL.Logo>
    {configuration.token ? null : (
      <GraphiQL.Footer>
        <p className="hint">
          <SignInHint />
        </p>
      </GraphiQL.Footer>
    )}
    <FollowSystemTheme />
    <ShowNewToken />
  </GraphiQL>,
);
