import { ImageList } from '../../../features/images/image-list.tsx'
import { m } from '../../../messages/all.ts'
import { pageTitle } from '../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.images.title)

export default function Page() {
  return <ImageList />
}
