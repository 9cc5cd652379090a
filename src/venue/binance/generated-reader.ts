// Readers whose source is made at start for one instrument's symbol and numbers. Cold.

/** By source: what one decoder has warmed up is warm for the next one, as the code of a class is. */
const readers = new Map<string, unknown>();

/** The function of these parameters (a comma between them) and body, one for the process. */
export function generatedReader<R>(parameters: string, body: string): R {
  const source = `${parameters}: ${body}`;
  let reader = readers.get(source);
  if (reader === undefined) {
    reader = new Function(parameters, body);
    readers.set(source, reader);
  }
  return reader as R;
}
