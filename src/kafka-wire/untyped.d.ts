/** A package without types of its own: the functions that are used here. */
declare module 'snappyjs' {
  export function compress(data: Buffer): Buffer
  export function uncompress(data: Buffer): Buffer
}
