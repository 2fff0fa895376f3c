import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { ANSWER_BYTES_MAX, PromptInterrupted, promptHidden } from '../../src/wallet/hidden-prompt.ts'
import {
  PasswordRefused,
  type PasswordRequest,
  type PasswordSources,
  PasswordUnavailable,
  readPassword,
} from '../../src/wallet/password.ts'
import { temporaryDirectory } from '../cleanup.ts'

const run = promisify(execFile)

/** A terminal whose keyboard and screen are in the hands of the test. */
class FakeTerminal {
  readonly modes: boolean[] = []
  readonly output = new PassThrough()
  readonly input = Object.assign(new PassThrough(), { setRawMode: (raw: boolean) => this.modes.push(raw) })

  constructor(typed = '') {
    this.type(typed)
  }

  type(text: string): void {
    if (text !== '') this.input.write(Buffer.from(text))
  }

  shown(): string {
    return String(this.output.read() ?? '')
  }
}

const existing: PasswordRequest = { label: 'account alice', isNew: false, file: null }
const fresh: PasswordRequest = { ...existing, isNew: true }
const nothing = { environment: {}, terminal: null, warn: (line: string) => assert.fail(line) }

const read = async (request: PasswordRequest, sources: Partial<PasswordSources> = {}) =>
  (await readPassword(request, { ...nothing, ...sources })).toString()

async function passwordFile(context: TestContext, text: string, mode = 0o600): Promise<string> {
  const path = join(await temporaryDirectory(context), 'password')
  await writeFile(path, text)
  await chmod(path, mode)
  return path
}

test('the first line of a file, without a byte order mark before it, is the password', async context => {
  for (const text of ['s3cret', 's3cret\n', 's3cret\r\n', 's3cret\nand a remark\n', '\uFEFFs3cret\n']) {
    assert.equal(await read({ ...existing, file: await passwordFile(context, text) }), 's3cret')
  }
  assert.equal(await read({ ...existing, file: await passwordFile(context, ' a b \n') }), ' a b ')
})

test('a file that others can read is used with a warning', async context => {
  const warnings: string[] = []
  const warn = (line: string) => void warnings.push(line)
  const file = await passwordFile(context, 's3cret', 0o640)
  assert.equal(await read({ ...existing, file }, { warn }), 's3cret')
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]!, /others can read.*chmod 600/)
})

test('a file goes before the environment, and the environment before the terminal', async context => {
  const environment = { QUORATE_PASSWORD: 'from the environment' }
  const terminal = new FakeTerminal('typed\r')
  const file = await passwordFile(context, 'from the file')
  assert.equal(await read({ ...existing, file }, { environment, terminal }), 'from the file')
  assert.equal(await read(existing, { environment, terminal }), 'from the environment')
  assert.deepEqual(terminal.modes, [])
  assert.equal(await read(existing, { environment: { QUORATE_PASSWORD: '' }, terminal }), 'typed')
})

test('a file that is missing or far too long is an error that names it, not a reason to ask elsewhere', async context => {
  const environment = { QUORATE_PASSWORD: 'x' }
  const file = await passwordFile(context, 'x'.repeat(5000))
  for (const path of [file, `${file}-missing`]) {
    await assert.rejects(
      read({ ...existing, file: path }, { environment }),
      error => error instanceof PasswordUnavailable && error.message.includes(path),
    )
  }
})

test('without a terminal or any other source there is a clear error', async () => {
  await assert.rejects(read(existing), error => {
    assert.ok(error instanceof PasswordUnavailable)
    assert.match(error.message, /account alice.*no terminal.*password file.*QUORATE_PASSWORD/)
    return true
  })
})

test('what is typed is not shown, and the terminal is left as it was', async () => {
  const terminal = new FakeTerminal('s3cret\r')
  assert.equal(await read(existing, { terminal }), 's3cret')
  assert.equal(terminal.shown(), 'password of account alice: \n')
  assert.deepEqual(terminal.modes, [true, false])
  assert.ok(terminal.input.isPaused())
  assert.equal(terminal.input.listenerCount('data'), 0)
})

test('a new password is typed twice', async () => {
  const terminal = new FakeTerminal('s3cret\rs3cret\r')
  assert.equal(await read(fresh, { terminal }), 's3cret')
  assert.equal(terminal.shown(), 'new password of account alice: \nthe same again: \n')
})

test('a new password that is not the same twice is refused', async () => {
  const terminal = new FakeTerminal('s3cret\rsecret\r')
  await assert.rejects(read(fresh, { terminal }), /not the same/)
})

test('a new password is not empty, wherever it comes from; an existing one may be', async context => {
  const file = await passwordFile(context, '\n')
  await assert.rejects(read({ ...fresh, file }), PasswordRefused)
  await assert.rejects(read(fresh, { terminal: new FakeTerminal('\r') }), PasswordRefused)
  assert.equal(await read({ ...existing, file }), '')
  assert.equal(await read(existing, { terminal: new FakeTerminal('\r') }), '')
})

const keys: readonly [what: string, typed: readonly string[], expected: string][] = [
  ['Enter as a line feed', ['abc\n'], 'abc'],
  ['bytes one by one', [...'abc\r'], 'abc'],
  ['backspace', ['abX\x7fc\r'], 'abc'],
  ['the other backspace', ['abX\bc\r'], 'abc'],
  ['backspace over a character of four bytes', ['ab\u{1f511}\x7fc\r'], 'abc'],
  ['backspace at the start', ['\x7f\x7fabc\r'], 'abc'],
  ['Ctrl-U, which starts over', ['wrong\x15abc\r'], 'abc'],
  ['arrow keys, which write nothing', ['ab', '\x1b[D', '\x1b[A', 'c\r'], 'abc'],
  ['a tab, which writes nothing', ['a\tbc\r'], 'abc'],
  ['letters beyond ASCII', ['pässwörd\u{1f511}\r'], 'pässwörd\u{1f511}'],
]

for (const [what, typed, expected] of keys) {
  test(`the prompt understands ${what}`, async () => {
    const terminal = new FakeTerminal()
    const answer = promptHidden(terminal, '? ')
    for (const text of typed) {
      terminal.type(text)
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.equal((await answer).toString(), expected)
  })
}

test('an answer of any length is taken up to its bound', async () => {
  const terminal = new FakeTerminal(`${'x'.repeat(5000)}\r`)
  assert.equal((await promptHidden(terminal, '? ')).length, ANSWER_BYTES_MAX)
})

for (const [key, byte] of [
  ['Ctrl-C', '\x03'],
  ['Ctrl-D', '\x04'],
] as const) {
  test(`${key} ends the prompt without an answer and leaves the terminal as it was`, async () => {
    const terminal = new FakeTerminal(`abc${byte}`)
    await assert.rejects(promptHidden(terminal, '? '), PromptInterrupted)
    assert.deepEqual(terminal.modes, [true, false])
  })
}

test('a terminal that goes away ends the prompt', async () => {
  const terminal = new FakeTerminal('abc')
  terminal.input.end()
  await assert.rejects(promptHidden(terminal, '? '), PromptInterrupted)
})

test('a password can come through a pipe that the shell makes', async () => {
  const module = new URL('../../src/wallet/password.ts', import.meta.url).href
  const program = `
    const { readPassword } = await import('${module}')
    const request = { label: 'x', isNew: false, file: process.argv[1] }
    console.log(String(await readPassword(request)))`
  const shell = `"$0" --input-type=module -e "$1" <(printf 's3cret\\nmore')`
  const { stdout } = await run('bash', ['-c', shell, process.execPath, program])
  assert.equal(stdout, 's3cret\n')
})
