import type { Metadata } from 'next'
import { ImageList } from '../../../features/images/image-list.tsx'
import { m } from '../../../messages/index.ts'

export const metadata: Metadata = { title: m.images.title }

export default function Page() {
  return <ImageList />
}
