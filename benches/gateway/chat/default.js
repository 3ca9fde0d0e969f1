import { tell } from "./tell.js"

export const handler = async (event) => {
  await tell([event.requestContext.connectionId], event.body)
  return { statusCode: 200 }
}
