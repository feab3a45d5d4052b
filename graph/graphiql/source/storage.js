// Where GraphiQL keeps tabs, history and theme: the browser's storage under our own prefix, without secrets.
const PREFIX = "clientela:";

// These hold documents and variables as texts inside JSON; the other values are such a text themselves.
const OF_TEXTS = /:(tabState|queries|favorites)$/;

// In a document `password: "x"` or a block string, in variables `"password": "x"`; perhaps not typed to its end yet.
const PASSWORD = /(password"?\s*:\s*)("""[^]*?("""|$)|"(\\.|[^"\\\n])*"?)/gi;

const keys = () => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));

const withoutPasswords = (text) => text.replace(PASSWORD, '$1""');

// The history would keep every request's headers, and with them the token.
const withoutSecrets = (name, part) => {
  if (name === "headers") return null;
  return typeof part === "string" ? withoutPasswords(part) : part;
};

const cleaned = (key, value) =>
  OF_TEXTS.test(key) ? JSON.stringify(JSON.parse(value), withoutSecrets) : withoutPasswords(value);

export const storage = {
  getItem: (key) => localStorage.getItem(PREFIX + key),
  setItem: (key, value) => localStorage.setItem(PREFIX + key, cleaned(key, value)),
  removeItem: (key) => localStorage.removeItem(PREFIX + key),
  clear: () => keys().forEach((key) => localStorage.removeItem(key)),
  get length() {
    return keys().length;
  },
};
