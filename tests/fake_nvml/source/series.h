/* Values over time: what a fake GPU does is written down before a test runs, and read off at any moment. */
#ifndef SERIES_H
#define SERIES_H
#include <stddef.h>

typedef struct {
    size_t count;
    double *time, *value; /* seconds after t0 in rising order; two points of one time are a jump */
    double *area;         /* integral from the first point to each */
    int linear;           /* whether values are joined by lines; otherwise each holds until the next */
} Series;

void series_constant(Series *series, double value);
/* "5" is a constant; "0:5,10:7" gives points. Returns 0 for text that is neither. */
int series_parse(Series *series, const char *text, int linear);
/* One "seconds value" a line; lines that begin with # are left out. Returns 0 for a file that is not such. */
int series_read(Series *series, const char *path, int linear);
void series_copy(Series *into, const Series *from);
void series_free(Series *series);

/* The first value holds before the first point, the last one after the last. */
double series_at(const Series *series, double time);
/* Integral from 0 to a time, exact. */
double series_integral(const Series *series, double time);
#endif
