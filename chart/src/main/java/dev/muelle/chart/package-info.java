/**
 * Charts as values, and their images. A {@link dev.muelle.chart.Chart} says what is to be seen;
 * JFreeChart, which nobody outside this package knows, draws it.
 */
@NullMarked
package dev.muelle.chart;

import org.jspecify.annotations.NullMarked;
