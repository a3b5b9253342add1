/** How a machine's first instruction is chosen: `--boot`. */
export const BOOT_CHOICES = ['auto', 'linux', 'pvh', 'multiboot', 'hvt', 'bios', 'uefi'] as const
/** `auto` looks at the kernel's file, or, where there is none, at the first disk. */
export type BootChoice = (typeof BOOT_CHOICES)[number]

export const isFirmwareChoice = (choice: BootChoice): choice is 'bios' | 'uefi' =>
  choice === 'bios' || choice === 'uefi'
