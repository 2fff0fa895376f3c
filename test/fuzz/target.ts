// What the fuzzer knows of one decoder, and how it tries an input on it.

/** An error that a decoder may throw for bad input: by its class's name, for a class may not be exported. */
export type ErrorName = string

/** One decoder. */
export interface Target {
  /** The functions that it tries, as `folder/file.ts name`. */
  readonly covers: readonly string[]
  /** Valid inputs, from which others are made. */
  readonly samples: readonly Uint8Array[]
  /** What errors mean that the input is refused; none for a decoder that returns it. */
  readonly refusals?: readonly ErrorName[]
  /**
   * Decodes. `null` is a refusal. Bytes are what encoding makes of what was decoded, and must be the input, for a format with
   * one form only. `'taken'` is for formats with many forms.
   */
  readonly take: (bytes: Uint8Array) => Outcome | Promise<Outcome>
  /** Whether each input costs a file: fewer are tried. */
  readonly isSlow?: boolean
}

/** What became of an input. */
export type Outcome = Uint8Array | 'taken' | null

/** Tries one input; what is wrong with its decoder, or null. */
export async function judge(target: Target, bytes: Uint8Array): Promise<string | null> {
  const given = bytes.slice()
  let outcome: Outcome
  try {
    outcome = await target.take(bytes)
  } catch (error) {
    const name = error instanceof Error ? error.name : String(error)
    const isRefusal = target.refusals?.includes(name) === true
    return isRefusal ? null : `throws ${error instanceof Error ? (error.stack ?? error.message) : error}`
  }
  if (!Buffer.from(given).equals(bytes)) return 'writes into what it reads'
  if (!(outcome instanceof Uint8Array) || Buffer.from(outcome).equals(given)) return null
  return `is read as what is written ${Buffer.from(outcome).toString('hex').slice(0, 400)}`
}

/** A target for text: bytes that are no UTF-8 are read as a file of them would be. */
export function textTarget(
  covers: readonly string[],
  samples: readonly string[],
  take: (text: string) => unknown,
  refusals: readonly ErrorName[] = [],
): Target {
  const encoder = new TextEncoder()
  return {
    covers,
    samples: samples.map(sample => encoder.encode(sample)),
    refusals,
    take: bytes => (take(new TextDecoder().decode(bytes)) === null ? null : 'taken'),
  }
}
