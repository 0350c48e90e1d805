/** A resource as a plain object: a fixed address and what stands there now. */
export interface Resource {
  readonly uri: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  read(): object;
}
