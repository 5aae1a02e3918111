/** Graphs of metrics as images: reads a widget's JSON, asks for its data, has a chart drawn. */
@NullMarked
package dev.muelle.services.cloudwatch.widget;

import org.jspecify.annotations.NullMarked;
