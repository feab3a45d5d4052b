// Builds the page's scripts, styles and workers into ../static; see ../README.md.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";

const directories = new Set();

// Workers are bundles of their own, so both builds note here which packages went in.
const notePackages = () => ({
  name: "note-packages",
  transform(_code, id) {
    const found = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id);
    if (found) directories.add(found[0]);
  },
});

function licence(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  const texts = readdirSync(directory)
    .filter((file) => /^(licen[cs]e|thirdpartynotices|notice)/i.test(file))
    .map((file) => readFileSync(join(directory, file), "utf8").trim());
  if (!texts.length) texts.push(`Its package names the ${license} licence and holds no text of it.`);
  return [`${name} ${version} (${license})`, ...texts].join("\n\n");
}

const writeLicences = () => ({
  name: "write-licences",
  generateBundle() {
    const entries = [...directories].map(licence).sort();
    const source = `${entries.join(`\n\n${"=".repeat(80)}\n\n`).replaceAll("\r\n", "\n")}\n`;
    this.emitFile({ type: "asset", fileName: "LICENSES.txt", source });
  },
});

export default defineConfig({
  // Assets find each other relative to themselves, so the server may mount them anywhere.
  base: "./",
  publicDir: false,
  resolve: {
    // GraphiQL lays out JSON with Prettier's parser of JavaScript, half a megabyte.
    alias: [{ find: /^prettier\/(parser-babel|plugins\/estree)$/, replacement: join(import.meta.dirname, "json.js") }],
  },
  plugins: [notePackages(), writeLicences()],
  worker: { plugins: () => [notePackages()] },
  build: {
    outDir: "../static",
    emptyOutDir: true,
    assetsDir: "",
    // An inlined font or worker would need a weaker Content-Security-Policy.
    assetsInlineLimit: 0,
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      input: "main.jsx",
      // What we do not write ourselves keeps its names, and its megabytes in the history, when our own files change.
      output: {
        codeSplitting: {
          groups: [
            { name: "monaco", test: /node_modules\/monaco-/ },
            { name: "vendor", test: /node_modules\/(?!monaco-|prettier\/)/ },
          ],
        },
      },
      // "use client" means nothing where everything runs in the browser.
      checks: { moduleLevelDirective: false },
    },
  },
});
