import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alignRows, wrapWords } from '../../../src/lab/compare/table.ts'

const rows = [
  ['', 'one', 'another'],
  ['short', 'a', 'b'],
  ['A heading that is wider than all columns together, and does no harm'],
  ['long', 'words that do not fit in twelve', 'c'],
]

test('columns are as wide as they need to be, and what is too long goes on below', () => {
  assert.equal(
    `\n${alignRows(rows, 40)}\n`,
    `
       one            another
short  a              b
A heading that is wider than all columns together, and does no harm
long   words that do  c
       not fit in
       twelve
`,
  )
})

test('where there is room there is more of it in a cell, and between cells', () => {
  const lines = alignRows(rows, 200).split('\n')
  assert.equal(lines[1], 'short   a                          b')
  assert.equal(lines[3], 'long    words that do not fit in   c')
})

test('a word longer than a line has a line of its own', () => {
  assert.deepEqual(wrapWords('an exceptionally long word', 6), ['an', 'exceptionally', 'long', 'word'])
  assert.deepEqual(wrapWords('n − f signatures', 16), ['n − f signatures'])
})
