/** A question of the kubelet. */
export type Probe = (
  | {
      readonly type: "http";
      readonly path: string;
      readonly port: string | number;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly type: "tcp"; readonly port: string | number }
  | { readonly type: "grpc"; readonly port: number; readonly service?: string | undefined }
  | { readonly type: "exec"; readonly command: readonly string[] }
) & {
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
  readonly initialDelaySeconds: number;
};

/** A probe as the provider takes it. */
export const probeOf = (probe: Probe) => ({
  ...question(probe),
  periodSeconds: probe.periodSeconds,
  timeoutSeconds: probe.timeoutSeconds,
  failureThreshold: probe.failureThreshold,
  ...(probe.initialDelaySeconds > 0 && { initialDelaySeconds: probe.initialDelaySeconds }),
});

function question(probe: Probe) {
  switch (probe.type) {
    case "http": {
      const headers = Object.entries(probe.headers).map(([name, value]) => ({ name, value }));
      const { path, port } = probe;
      return { httpGet: { path, port: String(port), ...(headers.length > 0 && { httpHeader: headers }) } };
    }
    case "tcp":
      return { tcpSocket: [{ port: String(probe.port) }] };
    case "grpc":
      return { grpc: [{ port: probe.port, ...(probe.service !== undefined && { service: probe.service }) }] };
    case "exec":
      return { exec: { command: [...probe.command] } };
  }
}
