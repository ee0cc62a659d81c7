import { version } from "../package.json";

export { version };

/** How deliveries name themselves to receivers. */
export const userAgent = `Posthorn/${version}`;
