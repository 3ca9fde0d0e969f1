// Rooms in memory, with the texts and the members a room takes of functions/room.
import { tell } from "./tell.js"

const MEMBERS_PER_ROOM = 128
const rooms = new Map()

function join(room, id) {
  const members = rooms.get(room) ?? new Set()
  if (members.has(id)) return [[id], `You have already joined to ${room}.`]
  if (members.size >= MEMBERS_PER_ROOM) return [[id], `${room} cannot have more than ${MEMBERS_PER_ROOM} members.`]
  rooms.set(room, members.add(id))
  return [members, `${id} has joined to Room ${room}`]
}

function send(room, id, msg) {
  const members = rooms.get(room)
  if (!members?.has(id)) return [[id], `In order to send message room to ${room}, join first.`]
  return [members, `[${id}]: ${msg}`]
}

export const handler = async (event) => {
  const { connectionId, routeKey } = event.requestContext
  const { room, msg } = JSON.parse(event.body)
  const [to, text] = routeKey === "join" ? join(room, connectionId) : send(room, connectionId, msg)
  for (const gone of await tell(to, text)) {
    for (const members of rooms.values()) members.delete(gone)
  }
  return { statusCode: 200 }
}
