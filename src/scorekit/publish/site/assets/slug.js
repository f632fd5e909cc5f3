// scorekit.modelSlug(name): the name of a model's page, as the site's build makes it; for ASCII names.
//
// Its end is the start of the name's SHA-256. Ten thousand of them would be a third of the leaderboard's data, and no
// compression makes them smaller, so they are worked out here. crypto.subtle is not there on file://.
(function () {
  "use strict";

  var READABLE = 60;
  // As many as content.py takes: with fewer, two names of one address could be found.
  var DIGEST_DIGITS = 16;

  // The first 32 bits of the fractional parts of the roots of the first primes (FIPS 180-4).
  function fraction(value) {
    return ((value - Math.floor(value)) * 4294967296) | 0;
  }

  var primes = [];
  for (var candidate = 2; primes.length < 64; candidate += 1) {
    if (primes.every(function (prime) { return candidate % prime !== 0; })) {
      primes.push(candidate);
    }
  }
  var ROUNDS = primes.map(function (prime) { return fraction(Math.cbrt(prime)); });
  var START = primes.slice(0, 8).map(function (prime) { return fraction(Math.sqrt(prime)); });

  function turned(word, bits) {
    return (word >>> bits) | (word << (32 - bits));
  }

  // The message in words of 32 bits: its bytes, one bit set, zeros, and its length in bits.
  function padded(text) {
    var words = new Int32Array((((text.length + 8) >> 6) + 1) * 16);
    for (var at = 0; at < text.length; at += 1) {
      words[at >> 2] |= text.charCodeAt(at) << (24 - (at % 4) * 8);
    }
    words[text.length >> 2] |= 0x80 << (24 - (text.length % 4) * 8);
    words[words.length - 1] = text.length * 8;
    return words;
  }

  function digest(text) {
    var message = padded(text);
    var hash = START.slice();
    var w = new Int32Array(64);
    for (var block = 0; block < message.length; block += 16) {
      var s = hash.slice();
      for (var i = 0; i < 64; i += 1) {
        if (i < 16) {
          w[i] = message[block + i];
        } else {
          var low = turned(w[i - 15], 7) ^ turned(w[i - 15], 18) ^ (w[i - 15] >>> 3);
          var high = turned(w[i - 2], 17) ^ turned(w[i - 2], 19) ^ (w[i - 2] >>> 10);
          w[i] = (w[i - 16] + low + w[i - 7] + high) | 0;
        }
        var sum1 = turned(s[4], 6) ^ turned(s[4], 11) ^ turned(s[4], 25);
        var choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        var first = (s[7] + sum1 + choice + ROUNDS[i] + w[i]) | 0;
        var sum0 = turned(s[0], 2) ^ turned(s[0], 13) ^ turned(s[0], 22);
        var majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        s = [(first + sum0 + majority) | 0, s[0], s[1], s[2], (s[3] + first) | 0, s[4], s[5], s[6]];
      }
      hash = hash.map(function (word, place) { return (word + s[place]) | 0; });
    }
    return hash.map(function (word) { return (word >>> 0).toString(16).padStart(8, "0"); }).join("");
  }

  function trimmed(text) {
    return text.replace(/^-+|-+$/g, "");
  }

  scorekit.modelSlug = function (name) {
    var readable = trimmed(trimmed(name.toLowerCase().replace(/[^a-z0-9]+/g, "-")).slice(0, READABLE));
    var end = digest(name).slice(0, DIGEST_DIGITS);
    return readable ? readable + "-" + end : end;
  };
})();
