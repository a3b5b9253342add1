/** Keeps this browser's clipboard and a VM's the same, as far as the browser lets a page. No DOM of its own. */

/** Of one text, in bytes of UTF-8: what a VM's monitor takes. */
export const maxClipboardBytes = 1024 * 1024

export type SendOutcome = 'sent' | 'same' | 'empty' | 'too_long'
export type ShareProblem = 'refused' | 'too_long'

export interface ClipboardShareOptions {
  /** The browser's; both reject when the page may not. */
  clipboard: { readText: () => Promise<string>; writeText: (text: string) => Promise<void> }
  /** Gives the VM a text. */
  send: (text: string) => void
  problem: (problem: ShareProblem) => void
}

export function fitsClipboard(text: string): boolean {
  return text.length <= maxClipboardBytes && new TextEncoder().encode(text).length <= maxClipboardBytes
}

export class ClipboardShare {
  readonly #options: ClipboardShareOptions
  /** What both sides have, so that neither is told what it said itself. */
  #known: string | null = null

  constructor(options: ClipboardShareOptions) {
    this.#options = options
  }

  /** The person came to the screen: the VM gets what was copied elsewhere since. */
  async look(): Promise<SendOutcome | 'refused'> {
    let text: string
    try {
      text = await this.#options.clipboard.readText()
    } catch {
      this.#options.problem('refused')
      return 'refused'
    }
    const outcome = this.#send(text)
    if (outcome === 'too_long') this.#options.problem('too_long')
    return outcome
  }

  /** The VM's clipboard changed. False: the browser did not take it. */
  async took(text: string): Promise<boolean> {
    this.#known = text
    try {
      await this.#options.clipboard.writeText(text)
      return true
    } catch {
      return false
    }
  }

  #send(text: string): SendOutcome {
    if (text === '') return 'empty'
    if (text === this.#known) return 'same'
    this.#known = text
    if (!fitsClipboard(text)) return 'too_long'
    this.#options.send(text)
    return 'sent'
  }
}
