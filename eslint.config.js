import { readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "eslint/config";
import { importX } from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";
import { app, exceptions, parts } from "./layout.js";

/** A part may import itself, packages, and what layout.js allows it. */
const zones = [
  ...Object.entries(parts).map(([part, allowed]) => ({
    target: part,
    from: ".",
    except: [part, ...allowed, ...(exceptions[part] ?? []), "node_modules"],
    message: `layout.js says what '${part}' may import.`,
  })),
  ...app.map((part, index) => ({
    target: `app/src/${part}`,
    from: "app/src",
    except: app.slice(index),
    message: `layout.js lists the parts of the app from the top down: '${part}' may import those below it.`,
  })),
];

const order = Object.keys(parts);
const partOf = (path) => order.find((part) => path === part || path.startsWith(`${part}/`));
for (const [part, allowed] of Object.entries(parts)) {
  const above = allowed.filter((path) => order.indexOf(partOf(path) ?? "") <= order.indexOf(part));
  if (above.length > 0)
    throw new Error(`layout.js lets '${part}' import what does not stand below it: ${above.join(", ")}`);
}

/** Folders with sources that no part of the kit imports. */
const OUTSIDE = ["app", "docs", "template"];
const folders = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter(
    (entry) =>
      entry.isDirectory() && /^[a-z]+$/.test(entry.name) && !/^(node_modules|dist|monitoring)$/.test(entry.name),
  )
  .map(({ name }) => name);
const missing = folders.filter((folder) => !order.includes(folder) && !OUTSIDE.includes(folder));
if (missing.length > 0) throw new Error(`layout.js does not list these folders: ${missing.join(", ")}`);

const unlisted = readdirSync(join(import.meta.dirname, "app/src")).filter((part) => !app.includes(part));
if (unlisted.length > 0) throw new Error(`layout.js does not list these parts of app/src: ${unlisted.join(", ")}`);

/** In the repository, `mcp-bluegreen` is its sources. */
const RESOLVE = {
  extensions: [".ts", ".js"],
  conditionNames: ["mcp-bluegreen-source", "import", "node", "default"],
};

export default defineConfig(
  { ignores: ["**/dist", "**/cdktf.out", ".local", ".gen", "rehearsal-report", "template"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "no-restricted-imports": [
        "error",
        {
          paths: ["@cdktf/provider-aws", "@cdktf/provider-kubernetes"].map((name) => ({
            name,
            message: "Import the resource by its path (lib/<resource>/index.js): the index loads every resource.",
          })),
        },
      ],
    },
  },
  {
    // Constructs are created for their effect on the scope.
    files: ["**/main.ts", "stacks/**", "constructs/**", "examples/**", "test/**"],
    rules: { "no-new": "off", "@typescript-eslint/no-unsafe-assignment": "off" },
  },
  {
    // The referee asks for what its newest revision deprecates.
    files: ["test/conformance/**"],
    rules: { "@typescript-eslint/no-deprecated": ["error", { allow: ["log"] }] },
  },
  {
    files: ["**/*.ts"],
    plugins: { "import-x": importX },
    settings: { "import-x/resolver-next": [importX.createNodeResolver(RESOLVE)] },
    rules: { "import-x/no-restricted-paths": ["error", { basePath: import.meta.dirname, zones }] },
  },
  {
    files: ["app/**/*.ts", "plans/**/*.ts", "release/**/*.ts", "review/**/*.ts"],
    rules: { "no-restricted-imports": ["error", { patterns: ["cdktf", "@cdktf/*"] }] },
  },
);
