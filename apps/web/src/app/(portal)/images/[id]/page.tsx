import { ImagePage } from '../../../../features/images/image-page.tsx'
import { m } from '../../../../messages/all.ts'
import { pageTitle } from '../../../../messages/page-title.ts'

export const generateMetadata = pageTitle(() => m.images.one)

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  return <ImagePage id={Number((await params).id)} />
}
