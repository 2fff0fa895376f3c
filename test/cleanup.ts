// What a test leaves behind and is undone when it ends.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

const stacks = new WeakMap<TestContext, AsyncDisposableStack>()

/**
 * Undoes something when the test ends: the latest first, and each of them whether or not another fails. Node's own hooks
 * begin with the first and stop at one that fails, which takes a directory from a node that still writes to it, and
 * then leaves that node running.
 */
export function cleanUp(t: TestContext, undo: () => unknown): void {
  let stack = stacks.get(t)
  if (stack === undefined) {
    stack = new AsyncDisposableStack()
    stacks.set(t, stack)
    t.after(() => stack!.disposeAsync())
  }
  stack.defer(async () => {
    await undo()
  })
}

/** A directory of its own, which is removed after the test. */
export async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-test-'))
  cleanUp(t, () => rm(directory, { recursive: true, force: true }))
  return directory
}
