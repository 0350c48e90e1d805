import { dirname } from "node:path";
import ts from "typescript";

/**
 * Compiles the project of a tsconfig file. Node strips no types under node_modules.
 *
 * The compiler rewrites the names of imported modules. Modules that are started as processes or
 * read as files are named by `new URL("….ts", import.meta.url)`, and these names are rewritten
 * here.
 *
 * @throws Error with the compiler's messages
 */
export function compile(root: string, configFile: string, outDir: string): void {
  const file = ts.readJsonConfigFile(configFile, (path) => ts.sys.readFile(path));
  const { options, fileNames, errors } = ts.parseJsonSourceFileConfigFileContent(file, ts.sys, dirname(configFile));
  const program = ts.createProgram(fileNames, { ...options, outDir });
  const { diagnostics } = program.emit(undefined, undefined, undefined, false, { before: [rewriteAddresses] });
  const problems = [...errors, ...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (problems.length > 0) throw new Error(format(problems, root));
}

const format = (problems: readonly ts.Diagnostic[], root: string) =>
  ts.formatDiagnostics(problems, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => root,
    getNewLine: () => "\n",
  });

const rewriteAddresses: ts.TransformerFactory<ts.SourceFile> = (context) => (file) => {
  const rename = (node: ts.Node): ts.Node =>
    ts.isStringLiteral(node) && node.text.endsWith(".ts")
      ? ts.factory.createStringLiteral(node.text.replace(/ts$/, "js"))
      : ts.visitEachChild(node, rename, context);
  const visit = (node: ts.Node): ts.Node =>
    ts.visitEachChild(isAddressOfModule(node) ? ts.visitEachChild(node, rename, context) : node, visit, context);
  return ts.visitNode(file, visit, ts.isSourceFile);
};

/** The compiler itself rewrites `import("….ts")`, but not in a function with `using`. */
const isAddressOfModule = (node: ts.Node) =>
  (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) ||
  (ts.isNewExpression(node) &&
    node.expression.getText() === "URL" &&
    node.arguments?.[1]?.getText() === "import.meta.url");
