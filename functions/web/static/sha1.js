// SHA-1 of a text in hexadecimal: the API takes the digest of a password. The browser's own is only
// there over HTTPS and on localhost, and a phone at home may come by plain HTTP.
export const sha1 = text => {
  const bytes = new TextEncoder().encode(text), blocks = ((bytes.length + 8) >> 6) + 1;
  const words = new Uint32Array(blocks * 16);
  bytes.forEach((b, i) => { words[i >> 2] |= b << (24 - 8 * (i & 3)); });
  words[bytes.length >> 2] |= 0x80 << (24 - 8 * (bytes.length & 3));
  words[words.length - 1] = bytes.length * 8;
  words[words.length - 2] = bytes.length / 0x20000000;
  const rotate = (x, n) => x << n | x >>> (32 - n);
  const h = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]), w = new Uint32Array(80);
  for (let block = 0; block < blocks; block++) {
    let [a, b, c, d, e] = h;
    for (let i = 0; i < 80; i++) {
      w[i] = i < 16 ? words[block * 16 + i] : rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
      const [f, k] = i < 20 ? [b & c | ~b & d, 0x5a827999] : i < 40 ? [b ^ c ^ d, 0x6ed9eba1]
        : i < 60 ? [b & c | b & d | c & d, 0x8f1bbcdc] : [b ^ c ^ d, 0xca62c1d6];
      [a, b, c, d, e] = [rotate(a, 5) + f + e + k + w[i] >>> 0, a, rotate(b, 30), c, d];
    }
    [a, b, c, d, e].forEach((v, i) => { h[i] += v; });
  }
  return Array.from(h, v => v.toString(16).padStart(8, "0")).join("");
};
