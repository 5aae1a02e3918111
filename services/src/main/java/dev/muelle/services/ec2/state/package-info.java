/**
 * What EC2 keeps in the store, and the words that all of its rooms share: kinds of resources and
 * how they are found, tags, filters, pages, blocks, and refusals in EC2's form.
 */
@NullMarked
package dev.muelle.services.ec2.state;

import org.jspecify.annotations.NullMarked;
