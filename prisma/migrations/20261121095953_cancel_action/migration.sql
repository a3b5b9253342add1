-- AlterTable
ALTER TABLE "action" ADD COLUMN "cancelled_at" DATETIME;
