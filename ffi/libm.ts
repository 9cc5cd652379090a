// The C library's pow(). JavaScript's Math.pow multiplies for whole exponents and so differs from C in the last
// bit for every fourth value; hftbacktest calls C. Only its yardstick (src/exchange/compat) needs this.
import { dlopen, FFIType } from "bun:ffi";

const symbols = { pow: { args: [FFIType.f64, FFIType.f64], returns: FFIType.f64 } } as const;

/** C's pow(x, y); the last bit of glibc's. */
export const cPow: (x: number, y: number) => number = dlopen("libm.so.6", symbols).symbols.pow;
