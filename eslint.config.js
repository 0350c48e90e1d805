import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  { ignores: ["**/dist", "cdktf.out", ".local", ".gen", "rehearsal-report"] },
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
    files: ["main.ts", "stacks/**", "constructs/**", "test/**"],
    rules: { "no-new": "off", "@typescript-eslint/no-unsafe-assignment": "off" },
  },
  {
    // The referee asks for what its newest revision deprecates.
    files: ["test/conformance/**"],
    rules: { "@typescript-eslint/no-deprecated": ["error", { allow: ["log"] }] },
  },
  {
    files: ["release/**/*.ts", "review/**/*.ts"],
    rules: {
      "no-restricted-imports": ["error", { patterns: ["**/constructs/**", "**/stacks/**", "cdktf", "@cdktf/*"] }],
    },
  },
  {
    files: ["app/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: ["**/constructs/**", "**/stacks/**", "**/release/**", "**/environments/**", "cdktf", "@cdktf/*"] },
      ],
    },
  },
);
