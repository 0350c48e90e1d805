import { execFile } from "node:child_process";
import { glob, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}

const manifest = async (folder: string) =>
  JSON.parse(await readFile(join(ROOT, folder, "package.json"), "utf8")) as Manifest;

describe("the compiled package", () => {
  jest.setTimeout(300_000);
  const sources = new Map<string, ts.SourceFile>();
  let dist: string;

  beforeAll(async () => {
    // Another test packs the kit at the same time, from the folder that it is published from.
    dist = await mkdtemp(join(tmpdir(), "dist-"));
    await promisify(execFile)(process.execPath, ["package/main.ts", "--out", dist], { cwd: ROOT });
    for await (const path of glob("**/*.js", { cwd: dist })) {
      // Bundles import nothing.
      if (/(^|\/)(prebuilt|app\/dist)\//.test(path)) continue;
      const text = await readFile(join(dist, path), "utf8");
      sources.set(path, ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true));
    }
  });

  afterAll(() => rm(dist, { recursive: true }));

  it("imports only what its users install with it", async () => {
    const { dependencies, peerDependencies, peerDependenciesMeta } = await manifest(".");
    const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
    const installed = [...Object.keys(dependencies), ...peers];
    // Only the repository builds the page.
    const allowed = (path: string, name: string) => path.startsWith("rehearse/page/client/") && name === "uplot";
    const imports = [...sources].flatMap(([path, file]) =>
      modulesOf(file).map((name) => [path, packageOf(name)] as const),
    );

    expect(imports.length).toBeGreaterThan(500);
    expect(
      imports.filter(([path, name]) => !/^(\.|node:)/.test(name) && !installed.includes(name) && !allowed(path, name)),
    ).toEqual([]);
  });

  it("installs what the app imports, in the same versions", async () => {
    expect((await manifest(".")).dependencies).toMatchObject((await manifest("app")).dependencies);
  });

  it("names no TypeScript file, since Node strips no types under node_modules", () => {
    const named = [...sources].flatMap(([path, file]) =>
      stringsOf(file)
        .filter((text) => /^[\w./-]+\.ts$/.test(text) && text !== ".ts" && text !== ".d.ts")
        .map((text) => `${path}: ${text}`),
    );

    expect(named).toEqual([]);
  });
});

function all<T extends ts.Node>(file: ts.SourceFile, is: (node: ts.Node) => node is T): T[] {
  const found: T[] = [];
  const visit = (node: ts.Node) => {
    if (is(node)) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

const stringsOf = (file: ts.SourceFile) => all(file, ts.isStringLiteralLike).map(({ text }) => text);

function modulesOf(file: ts.SourceFile): string[] {
  const isImport = (node: ts.Node) =>
    ts.isImportDeclaration(node) ||
    ts.isExportDeclaration(node) ||
    (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword);
  return all(file, ts.isStringLiteralLike)
    .filter(({ parent }) => isImport(parent))
    .map(({ text }) => text);
}

/** `@scope/name/lib/x.js` is of the package `@scope/name`. */
const packageOf = (name: string) =>
  /^(\.|node:)/.test(name)
    ? name
    : name
        .split("/")
        .slice(0, name.startsWith("@") ? 2 : 1)
        .join("/");
