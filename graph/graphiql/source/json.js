// Prettier's JSON for variables and headers, by the small parser that GraphiQL carries anyway.
import { applyEdits, format } from "jsonc-parser";

const OPTIONS = { insertSpaces: true, tabSize: 2 };

const parse = (text) => ({ text: applyEdits(text, format(text, undefined, OPTIONS)) });

export const parsers = {
  jsonc: { astFormat: "json-text", parse, locStart: () => 0, locEnd: ({ text }) => text.length },
};

export const printers = { "json-text": { print: (path) => path.node.text } };
