/** The program of the lab on scaling: a service whose requests cost a known amount of CPU. */
@NullMarked
package dev.muelle.examples.escalado;

import org.jspecify.annotations.NullMarked;
