/** A whole disk that a BIOS and UEFI both start: GPT, GRUB for both, and Linux with an initial RAM disk on the ESP. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import {
  type Partition,
  partitionTable,
  partitionType,
  SECTOR,
} from '../../../../../infra/recipes/disk/gpt.ts'
import { bootCode, embeddedCore } from '../../../../../infra/recipes/disk/grub-bios.ts'

const run = promisify(execFile)
const MIB = 1024 * 1024
const DISK_BYTES = 64 * MIB
const sectors = (bytes: number): number => bytes / SECTOR
const BIOS_BOOT = { number: 1, firstSector: sectors(1 * MIB), sectors: sectors(1 * MIB) }
const ESP = { number: 2, firstSector: sectors(2 * MIB), sectors: sectors(61 * MIB) }
const BOOT_IMG = '/usr/lib/grub/i386-pc/boot.img'

/** `work` is an empty folder for what is made on the way; `disk` the file to make. */
export async function makeGrubDisk(
  work: string,
  disk: string,
  linux: {
    readonly kernel: string
    readonly initrd: string
    readonly commandLine: string
    /** GRUB says this and waits for a line. */
    readonly question?: string
  },
): Promise<void> {
  await mkdir(work, { recursive: true })
  const script = path.join(work, 'grub.cfg')
  const ask = linux.question === undefined ? '' : `echo '${linux.question}'\nread answer\n`
  const config = (device: string): string =>
    `${ask}set root=${device}\nlinux /vmlinuz ${linux.commandLine}\ninitrd /initrd\nboot\n`
  const build = async (
    format: string,
    device: string,
    output: string,
    modules: readonly string[],
  ): Promise<string> => {
    const target = path.join(work, output)
    await writeFile(script, config(device))
    await run('grub-mkimage', [
      ...[`--format=${format}`, '--prefix=/', `--config=${script}`, `--output=${target}`],
      ...['part_gpt', 'fat', 'linux', 'boot', ...(ask === '' ? [] : ['echo', 'read']), ...modules],
    ])
    return target
  }
  const core = await build('i386-pc', '(hd0,gpt2)', 'core.img', ['biosdisk'])
  // By its screen driver GRUB tells a kernel where UEFI's frame buffer is; without one the kernel starts blind.
  const efi = await build('x86_64-efi', '(hd0,gpt2)', 'BOOTX64.EFI', ['efi_gop'])

  const handle = await open(disk, 'w', 0o644)
  try {
    await handle.truncate(DISK_BYTES)
    const partitions: Partition[] = [
      { ...BIOS_BOOT, type: partitionType.biosBoot, uuid: randomUUID(), name: 'bios' },
      { ...ESP, type: partitionType.efiSystem, uuid: randomUUID(), name: 'efi' },
    ]
    const code = bootCode(await readFile(BOOT_IMG), BIOS_BOOT.firstSector)
    const table = partitionTable(sectors(DISK_BYTES), randomUUID(), partitions, code)
    const embedded = embeddedCore(await readFile(core), BIOS_BOOT.firstSector, BIOS_BOOT.sectors)
    await handle.write(table.primary, 0, table.primary.length, 0)
    await handle.write(embedded, 0, embedded.length, BIOS_BOOT.firstSector * SECTOR)
    await handle.write(table.backup, 0, table.backup.length, DISK_BYTES - table.backup.length)
  } finally {
    await handle.close()
  }
  const fat = `${disk}@@${ESP.firstSector * SECTOR}`
  await run('mformat', ['-i', fat, '-T', String(ESP.sectors), '-v', 'EFI', '::'])
  await run('mmd', ['-i', fat, '::/EFI', '::/EFI/BOOT'])
  for (const [from, to] of [
    [efi, 'EFI/BOOT/BOOTX64.EFI'],
    [linux.kernel, 'vmlinuz'],
    [linux.initrd, 'initrd'],
  ] as const) {
    await run('mcopy', ['-i', fat, from, `::/${to}`])
  }
}
