// Amounts with their units, written as publish/site/amounts.py writes them. A range is {low, high}.
//
//   scorekit.number(value)      four significant digits, as figures.py's number(); "unknown" for null
//   scorekit.amounts.number(value, digits)   significant digits, or a power of ten
//   scorekit.amounts.amount(range, unit, digits)
//   scorekit.amounts.plain(value), plainRange(range)   given numbers, at most six digits
//   scorekit.amounts.count(value)            a whole number
//   scorekit.amounts.grouped(text)           a number's text with its thousands apart
//   scorekit.amounts.rough(range, unit)      of two digits, all others zero
//   scorekit.amounts.duration(range)         of seconds
//   scorekit.amounts.rounded(value, digits)  the value itself to significant digits
//   scorekit.amounts.three(value)            three digits, as the charts write them
(function () {
  "use strict";
  var DIGITS = 4;
  var SPACE = "\u00a0";
  var MORE = 40;
  var SUPERSCRIPTS = { "-": "\u207b", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
  var TIMES = [["hours", 3600], ["minutes", 60], ["seconds", 1]];

  // JavaScript rounds exact halves up, Python to the even digit: of a number that is cut, the digits after the cut tell.
  function even(rounded, longer) {
    var cut = longer.slice(0, rounded.length);
    var rest = longer.slice(rounded.length);
    var last = cut.replace(/\D/g, "").slice(-1);
    return /^\.?50*$/.test(rest) && Number(last) % 2 === 0 ? cut.replace(/\.$/, "") : rounded;
  }

  function fixed(value, decimals) {
    var rounded = value.toFixed(decimals);
    var longer = value.toFixed(decimals + MORE);
    return rounded.split(".")[0].length === longer.split(".")[0].length ? even(rounded, longer) : rounded;
  }

  function exponential(value, decimals) {
    var rounded = value.toExponential(decimals).split("e");
    var longer = value.toExponential(decimals + MORE).split("e");
    return rounded[1] === longer[1] ? [even(rounded[0], longer[0]), Number(rounded[1])] : [rounded[0], Number(rounded[1])];
  }

  function grouped(text) {
    var parts = text.split(".");
    parts[0] = parts[0].replace(/\B(?=(\d{3})+$)/g, ",");
    return parts.join(".");
  }

  function number(value, digits) {
    digits = digits || DIGITS;
    if (value === 0) {
      return "0";
    }
    var exponent = powerOf(value);
    if (exponent < -4 || exponent > 8) {
      var parts = exponential(value, digits - 1);
      return parts[0] + SPACE + "×" + SPACE + "10" + raised(parts[1]);
    }
    return grouped(fixed(value, Math.max(0, digits - 1 - exponent)));
  }

  // publish/site/figures.py's number().
  function significant(value) {
    if (value === null || value === undefined || !isFinite(value)) {
      return "unknown";
    }
    if (value === 0) {
      return "0";
    }
    var exponent = powerOf(value);
    if (exponent < -4 || exponent > 8) {
      var parts = exponential(value, DIGITS - 1);
      var power = Math.abs(parts[1]);
      return parts[0] + "e" + (parts[1] < 0 ? "-" : "+") + (power < 10 ? "0" : "") + power;
    }
    return grouped(fixed(value, Math.max(0, DIGITS - 1 - exponent)));
  }

  // Of a double, 18 digits do not round to the next power of ten.
  function powerOf(value) {
    return Number(value.toExponential(17).split("e")[1]);
  }

  function amount(range, unit, digits) {
    var low = number(range.low, digits);
    var high = number(range.high, digits);
    var told = low === high ? low : low + " to " + high;
    return unit ? told + SPACE + unit : told;
  }

  function rounded(value, digits) {
    var parts = exponential(value, digits - 1);
    return Number(parts[0] + "e" + parts[1]);
  }

  function plain(value) {
    return String(Number(rounded(value, 6)));
  }

  function plainRange(range) {
    var low = plain(range.low);
    var high = plain(range.high);
    return low === high ? low : low + " to " + high;
  }

  function raised(power) {
    return String(power).replace(/./g, function (sign) {
      return SUPERSCRIPTS[sign];
    });
  }

  // publish/label/wording.py's figure(), of a number that is not negative.
  function three(value) {
    if (value === 0) {
      return "0";
    }
    var kept = value < 1000 ? rounded(value, 3) : value;
    if (kept >= 1000 && kept < 1e9) {
      return grouped(fixed(kept, 0));
    }
    if (kept >= 0.001 && kept < 1000) {
      return fixed(kept, 2 - powerOf(kept));
    }
    var parts = exponential(kept, 2);
    return parts[0] + " × 10" + raised(parts[1]);
  }

  function rough(range, unit) {
    return amount({ low: rounded(range.low, 2), high: rounded(range.high, 2) }, unit, 2);
  }

  function duration(seconds) {
    var unit = TIMES.filter(function (each) {
      return seconds.high >= each[1];
    })[0] || TIMES[TIMES.length - 1];
    return rough({ low: seconds.low / unit[1], high: seconds.high / unit[1] }, unit[0]);
  }

  window.scorekit.number = significant;
  window.scorekit.amounts = {
    number: number,
    amount: amount,
    plain: plain,
    plainRange: plainRange,
    count: function (value) {
      return grouped(String(value));
    },
    rough: rough,
    duration: duration,
    rounded: rounded,
    grouped: grouped,
    three: three,
  };
})();
