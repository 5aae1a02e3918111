package dev.muelle.loop;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Here the ambient clock is read, which everybody else takes as a parameter. */
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.METHOD)
@interface Ambient {}
