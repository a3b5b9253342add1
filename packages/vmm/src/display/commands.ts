/** The control socket's methods of the display. */
import type { DisplayThread } from './thread.ts'

export type DisplayMethod = 'viewers' | 'viewer-control' | 'viewer-close' | 'screenshot'

const THUMBNAIL_WIDTH = 320

/** Throws a sentence for whoever asked. */
export async function commandDisplay(
  display: DisplayThread | undefined,
  method: DisplayMethod,
  params: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  if (display === undefined) throw new Error('the VM has no display')
  switch (method) {
    case 'viewers':
      return display.ask({ kind: 'viewers' })
    case 'viewer-control':
      if (typeof params.take !== 'boolean') throw new Error('take is true or false')
      return display.ask({ kind: 'control', viewer: viewerOf(params), take: params.take })
    case 'viewer-close':
      return display.ask({ kind: 'close-viewer', viewer: viewerOf(params) })
    case 'screenshot': {
      const { maxWidth = THUMBNAIL_WIDTH } = params
      if (typeof maxWidth !== 'number' || !(maxWidth >= 1)) throw new Error('maxWidth is a number of pixels')
      return display.ask({ kind: 'screenshot', maxWidth })
    }
  }
}

function viewerOf({ viewer }: Readonly<Record<string, unknown>>): string {
  if (typeof viewer !== 'string') throw new Error("viewer is a viewer's id")
  return viewer
}
