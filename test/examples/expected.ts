// What each example prints when it works: a pattern for its output, used from the sources and from the package alike.

/** By the name of the package's entry that an example shows. */
export const EXAMPLES: ReadonlyMap<string, RegExp> = new Map([
  ['chain', /^block 1 0x0[0-9a-f]{63}: bob has 3\.500021\n$/],
  ['consensus', /^(member [0-3] decided 0x8ed3f6,0xf44e64,0xbe9d58 in view 1\n){4}$/],
  [
    'finality',
    /^block 0x[0-9a-f]{64} is final, signed by (node\d, ){2}node\d\n.*2 of the 3 .*\nby work alone: 6 confirmations\n$/,
  ],
  ['lab', /^seed 7: PASS\n5 blocks final .*\n.* crashes, .* trace 0x[0-9a-f]{64}\n$/],
])
