/** An error whose message is for the person at the terminal; its stack would not help. */
export class PlainError extends Error {}
