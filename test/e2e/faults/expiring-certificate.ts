import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { liveColor } from "../cluster.ts";
import { mustRun } from "../command.ts";
import { inWords, underLoad } from "../load.ts";
import { CANDIDATE, PATIENT, startRelease } from "../release.ts";
import type { Step } from "../step.ts";

/** Shorter than the bake, so that every certificate of the release's start has expired before its end. */
const VALID_SECONDS = 15;

/**
 * `E2E_CLIENT_CA` is the path, without `.crt` and `.key`, of the authority that the API server trusts for clients.
 */
export const expiringCertificate: Step = {
  name: `client certificates that expire after ${VALID_SECONDS} s are renewed during a bake, for port forwards too`,
  needs: ["E2E_CLIENT_CA"],
  async run() {
    const before = await liveColor();
    const folder = await mkdtemp(join(tmpdir(), "e2e-"));
    try {
      const kubeconfig = await writeKubeconfig(folder);
      const load = await underLoad(async () => {
        const variables = { KUBECONFIG: kubeconfig };
        const release = startRelease("run", { environment: PATIENT, args: CANDIDATE, variables });
        const { code, result, reason } = await release.ended;
        assert.deepEqual({ code, result }, { code: 0, result: "released" }, reason);
      });
      assert.notEqual(await liveColor(), before);
      const issued = (await readFile(join(folder, "issued"), "utf8")).trim().split("\n").length;
      assert.ok(issued >= 3, `only ${issued} certificates were issued`);
      return `${issued} certificates; ${inWords(load)}`;
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

/** The kubeconfig of the tests, with an exec plugin in place of its user. */
async function writeKubeconfig(folder: string): Promise<string> {
  const plugin = join(folder, "issue");
  await writeFile(plugin, PLUGIN);
  await chmod(plugin, 0o700);
  const view = await mustRun("kubectl", ["config", "view", "--raw", "--minify", "--flatten", "--output=json"]);
  const config = JSON.parse(view) as { users: { name: string; user: object }[] };
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: plugin,
    interactiveMode: "Never",
    env: [
      { name: "CA", value: process.env.E2E_CLIENT_CA },
      { name: "FOLDER", value: folder },
    ],
  };
  const users = config.users.map(({ name }) => ({ name, user: { exec } }));
  const file = join(folder, "kubeconfig.json");
  await writeFile(file, JSON.stringify({ ...config, users }));
  return file;
}

/** `openssl ca`, because `openssl x509` knows days only. */
const PLUGIN = `#!/bin/bash
set -euo pipefail
dir="$(mktemp --directory "$FOLDER/XXXXXX")"
echo issued >> "$FOLDER/issued"
touch "$dir/index"
cat > "$dir/config" <<END
[ca]
default_ca = own
[own]
database = $dir/index
new_certs_dir = $dir
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = client
copy_extensions = none
[any]
commonName = supplied
organizationName = optional
[client]
extendedKeyUsage = clientAuth
END
end="$(date --utc --date "+${VALID_SECONDS} seconds" +%Y%m%d%H%M%SZ)"
openssl req -new -newkey rsa:2048 -nodes -keyout "$dir/key" -subj /O=system:masters/CN=e2e -out "$dir/csr" 2>/dev/null
openssl ca -batch -config "$dir/config" -cert "$CA.crt" -keyfile "$CA.key" -enddate "$end" \\
  -in "$dir/csr" -out "$dir/crt" -notext >/dev/null 2>&1
json() { sed 's/$/\\\\n/' "$1" | tr --delete '\\n'; }
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"expirationTimestamp":"%s","clientCertificateData":"%s","clientKeyData":"%s"}}' \\
  "$(date --utc --date "+$((${VALID_SECONDS} - 3)) seconds" +%Y-%m-%dT%H:%M:%SZ)" "$(json "$dir/crt")" "$(json "$dir/key")"
`;
