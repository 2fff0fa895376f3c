// Starts a bench by its name: npm run bench -- NAME [options of the bench].

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const [name, ...rest] = process.argv.slice(2)
const names = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter(entry => entry.isFile() && entry.name.endsWith('.ts') && entry.name !== 'run.ts')
  .map(entry => entry.name.slice(0, -'.ts'.length))

if (name === undefined || !names.includes(name)) {
  console.error(`npm run bench -- NAME, which is one of ${names.join(', ')}`)
  process.exitCode = 2
} else {
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`), ...rest], {
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
}
