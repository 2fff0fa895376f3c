// The folder of a node: made for its owner alone, and used only if no other user can change its content.
//
// A user who can write to it can place links, other keys and older records where the node reads them. So a folder that
// belongs to another user, or is writable by others, is refused before anything in it is opened; so are folders that are
// not on a disk, such as those under /proc. Root may use any folder: it can read and write all of them anyway, and
// containers run as root.

import { mkdir, realpath, stat } from 'node:fs/promises'
import process from 'node:process'

/** The folder is not safe to use. */
export class DataFolderUnusable extends Error {
  override name = 'DataFolderUnusable'
  readonly remedy: string | null

  constructor(cause: string, remedy: string | null) {
    super(cause)
    this.remedy = remedy
  }
}

/** Permission bits by which others than the owner can write. */
const OTHERS_WRITE = 0o022
/** Virtual file systems of the kernel, whose files are not on a disk. */
const MADE_UP = /^\/(?:proc|sys)(?:\/|$)/

/** Makes the folder where there is none. Throws `DataFolderUnusable` and what Node throws. */
export async function openDataFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const real = await realpath(path)
  if (MADE_UP.test(real))
    throw new DataFolderUnusable(`${path} can't hold data: it is part of ${real.slice(0, 5)}`, null)
  const { uid, mode } = await stat(real)
  const reason = whyUnsafe({ uid, mode }, process.getuid?.() ?? null)
  if (reason === 'owner')
    throw new DataFolderUnusable(
      `the data folder ${path} belongs to another user (id ${uid})`,
      `Choose another folder, or make it yours: chown -R $USER ${path}`,
    )
  if (reason === 'mode')
    throw new DataFolderUnusable(
      `others can write to the data folder ${path}`,
      `See that nothing was put there, and run: chmod go-w ${path}`,
    )
}

/** Why a folder is not safe for this user: its owner, or its permission bits; null where it is, or there are no users. */
export function whyUnsafe(
  folder: { readonly uid: number; readonly mode: number },
  user: number | null,
): 'owner' | 'mode' | null {
  if (user === null) return null
  if (user !== 0 && folder.uid !== user) return 'owner'
  return (folder.mode & OTHERS_WRITE) === 0 ? null : 'mode'
}
