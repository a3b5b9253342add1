import { Tokens } from '../../../../features/settings/tokens.tsx'
import { m } from '../../../../messages/all.ts'
import { pageTitle } from '../../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.settings.tokens.title)

export default function Page() {
  return <Tokens />
}
