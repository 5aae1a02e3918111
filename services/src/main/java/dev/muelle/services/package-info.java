/**
 * What every service needs: identifiers, ARNs, the form in which values are stored. One sub-package
 * per AWS service, named as its SDK client; a sub-package never imports a sibling, it takes the
 * sibling's SDK interface.
 */
@NullMarked
package dev.muelle.services;

import org.jspecify.annotations.NullMarked;
