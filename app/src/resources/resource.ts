/** A resource as a plain object: a fixed URI and its current content. */
export interface Resource {
  readonly uri: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  read(): object;
}
