/**
 * AWS Identity and Access Management: roles and their policies, as ECS needs them. Policies are
 * checked and kept, but requests are not judged by them yet: whoever has the account's key may do
 * everything.
 */
@NullMarked
package dev.muelle.services.iam;

import org.jspecify.annotations.NullMarked;
