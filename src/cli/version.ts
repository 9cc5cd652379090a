// The package's version, as package.json states it.
import manifest from "../../package.json";

export const VERSION: string = manifest.version;
