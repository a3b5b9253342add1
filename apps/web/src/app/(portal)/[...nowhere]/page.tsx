import { notFound } from 'next/navigation'

/** Any address that is no page: told so within the frame, from where one goes on. */
export default function Page() {
  notFound()
}
