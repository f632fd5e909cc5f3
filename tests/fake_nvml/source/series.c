#include "series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(Series *s, double time, double value) {
    if ((s->count & (s->count - 1)) == 0) { /* at every power of two */
        size_t room = (s->count ? s->count * 2 : 1) * sizeof(double);
        s->time = realloc(s->time, room);
        s->value = realloc(s->value, room);
        s->area = realloc(s->area, room);
    }
    double area = 0;
    if (s->count) {
        size_t last = s->count - 1;
        double mean = s->linear ? (s->value[last] + value) / 2 : s->value[last];
        area = s->area[last] + mean * (time - s->time[last]);
    }
    s->time[s->count] = time;
    s->value[s->count] = value;
    s->area[s->count++] = area;
}

static void begin(Series *s, int linear) {
    series_free(s);
    s->linear = linear;
}

void series_free(Series *s) {
    free(s->time);
    free(s->value);
    free(s->area);
    memset(s, 0, sizeof *s);
}

void series_constant(Series *s, double value) {
    begin(s, 0);
    add(s, 0, value);
}

int series_parse(Series *s, const char *text, int linear) {
    begin(s, linear);
    for (;;) {
        char *end;
        double first = strtod(text, &end);
        if (end == text) return 0;
        if (*end != ':') {
            if (*end || s->count) return 0;
            add(s, 0, first);
            return 1;
        }
        text = end + 1;
        double value = strtod(text, &end);
        if (end == text || (s->count && first < s->time[s->count - 1])) return 0;
        add(s, first, value);
        if (!*end) return 1;
        if (*end != ',') return 0;
        text = end + 1;
    }
}

int series_read(Series *s, const char *path, int linear) {
    begin(s, linear);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    char line[256];
    int good = 1;
    while (good && fgets(line, sizeof line, file)) {
        double time, value;
        if (line[0] == '#' || line[0] == '\n') continue;
        good = sscanf(line, "%lf %lf", &time, &value) == 2 && !(s->count && time < s->time[s->count - 1]);
        if (good) add(s, time, value);
    }
    fclose(file);
    return good && s->count;
}

void series_copy(Series *into, const Series *from) {
    begin(into, from->linear);
    for (size_t i = 0; i < from->count; i++) add(into, from->time[i], from->value[i]);
}

/* The last point at or before a time; -1 before the first. */
static long before(const Series *s, double time) {
    long low = -1, high = (long)s->count;
    while (high - low > 1) {
        long middle = low + (high - low) / 2;
        if (s->time[middle] <= time) low = middle;
        else high = middle;
    }
    return low;
}

double series_at(const Series *s, double time) {
    long i = before(s, time);
    if (i < 0) return s->value[0];
    if (!s->linear || (size_t)i + 1 == s->count) return s->value[i];
    double share = (time - s->time[i]) / (s->time[i + 1] - s->time[i]);
    return s->value[i] + (s->value[i + 1] - s->value[i]) * share;
}

static double area_to(const Series *s, double time) {
    long i = before(s, time);
    if (i < 0) return s->value[0] * (time - s->time[0]);
    double mean = s->linear ? (s->value[i] + series_at(s, time)) / 2 : s->value[i];
    return s->area[i] + mean * (time - s->time[i]);
}

double series_integral(const Series *s, double time) { return area_to(s, time) - area_to(s, 0); }
