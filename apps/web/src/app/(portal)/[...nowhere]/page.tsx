import { NotFound } from '../../../features/shell/not-found.tsx'

/**
 * Any address that is no page: told so within the frame, from where one goes on. Not by `notFound()`, for which Next sends
 * an empty document without its language.
 */
export default function Page() {
  return <NotFound />
}
