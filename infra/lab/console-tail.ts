/** Keeps the last part of what a console printed. */
const KEPT_CHARACTERS = 16 * 1024

export class ConsoleTail {
  private text = ''

  add(chunk: string): void {
    this.text = (this.text + chunk).slice(-KEPT_CHARACTERS)
  }

  includes(words: string): boolean {
    return this.text.includes(words)
  }

  /** Where the kernel says what went wrong, or else the last lines; without terminals' and QEMU's noise. */
  lines(count = 15): string {
    const lines = this.text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
      .replace(/\x1b(?:\[[0-9;?]*[a-zA-Z]|c)/g, '')
      .split(/\r?\n|\r/)
      .filter((line) => line.trim() !== '' && !line.includes("TCG doesn't support requested feature"))
    const trouble = lines.findIndex((line) => /Kernel panic|BUG: |Oops: /.test(line))
    return (trouble < 0 ? lines.slice(-count) : lines.slice(trouble, trouble + count)).join('\n')
  }
}
